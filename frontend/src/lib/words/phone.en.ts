// What the page says in English about the page for phones.

export const phone = {
	phone: {
		title: "Connect a phone",
		lead: "This device can show its page also in browsers of phones and tablets on the same network. Without internet, without an app.",
		on: "Show the page to phones",
		onWhy: (device: string) =>
			`"${device}" then takes encrypted connections from your own network. Only who was connected here gets in.`,
		turnOn: "Switch on",
		turnOff: "Switch off",
		isOn: "On",
		isOff: "Off",
		starting: "Starting …",
		fixed: "Set so when the program was started (--https).",

		pair: "Connect one phone",
		pairWhy:
			"Scan it with the phone's camera. The code holds for five minutes and for one device. Whoever scans it reads and writes in your name: show it to your own phone only.",
		pairGo: "Show code",
		pairAgain: "Show a new code",
		pairHide: "Close code",
		qr: "QR code to connect",
		byHand: "Without a camera: open this address in the phone's browser and enter the code.",
		code: "Code",
		holds: "The code still holds",
		warns:
			"The first time the browser warns, because it does not know who issued the certificate. Go on, or trust it once: see below.",
		came: (name: string) => `"${name}" is connected.`,
		cameWhy: "Was that not your device? Then disconnect it at once.",

		list: "Connected browsers",
		none: "None yet.",
		used: (when: string, addr: string) => `last ${when}${addr ? `, from ${addr}` : ""}`,
		cut: "Disconnect",
		cutOne: (name: string) => `Disconnect ${name}`,
		listWhy: "Who loses a phone disconnects it here. What is not used for 90 days disconnects by itself.",

		trust: "Why does the browser warn?",
		trustWhy:
			"Public certificates exist only for names on the internet. So this device issues its own. You need not trust it: then the browser warns, and you compare the fingerprint and go on. Or you install the issuer on the phone once; then nothing warns any more.",
		can: "What it means to trust it",
		canWhy:
			"The issuer can vouch only for the names and private addresses below. It can issue nothing for your bank or any page on the internet, not even if someone steals its key. The key never leaves this device. You can remove it at any time.",
		welcome: "To install it the phone opens",
		seen: "Fingerprint the browser shows with the warning (SHA-256)",
		issuer: "Fingerprint of the issuer (SHA-256)",
		issuer1: "The same as Windows shows it (SHA-1)",
		only: "Only for",
		until: "Valid until",
		download: "Download certificate",
		how: "How a device trusts the issuer",
		undo: "To remove it: ",
		lacks: (names: string) => `This device now also goes by ${names}. That would take a new issuer.`,
		renew: "Make a new issuer",
		renewAsk: "Make a new issuer?",
		renewWhy:
			"All connected browsers are disconnected and must be connected anew. Who installed the old issuer installs the new one.",

		company: "The company's certificate",
		companyWhy:
			"If your company has a name for this device and a certificate for it, use that. Then browsers do not warn.",
		companyNow: (names: string, until: string) => `For ${names}, valid until ${until}.`,
		companyOver: "It is not valid any more. Until you bring a new one, the device's own stands in.",
		chain: "Certificate with chain (PEM)",
		key: "Private key (PEM)",
		keyHint: "It is checked and stored sealed. If it is in the same file, leave this empty.",
		companyGo: "Use it",
		companyDrop: "Remove",
		choose: "Choose file",

		claim: "Connect this device",
		claimLead:
			'Inselnetz runs here. At the computer choose "Connect a phone" in the settings; there is a code.',
		claimFound: "Inselnetz runs here. Give this device a name, and it is connected.",
		codeHint: "Ten characters, such as K7Q2M-9XWTE.",
		name: "What is this device called?",
		nameHint: 'Such as "Anna\'s iPhone". You will know it by that at the computer.',
		claimGo: "Connect",
		done: "Connected",
		doneWhy: (person: string, device: string) =>
			`Here you read and write as ${person}, through the device "${device}". It works only while that device is running and you are on the same network.`,
		doneLimits: "Inviting or removing people, changing roles and recovery work only at the computer itself.",
		doneGo: "Go",
		as: (person: string, device: string) => `You write as ${person} through "${device}".`,
		leave: "Disconnect this device",
		leaveAsk: "Disconnect this device?",
		leaveWhy: "After that it needs a new code from the computer.",
	},
};
