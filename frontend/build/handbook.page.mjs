// The handbook as one page of plain HTML.
const words = {
	de: {
		title: "Handbuch",
		lead: "Alles über Inselnetz, zum Lesen und zum Drucken. Diese Seite liegt auf Ihrem Gerät und braucht kein Internet.",
		contents: "Inhalt",
		skip: "Zum Text springen",
		other: "English",
		home: "Zu Inselnetz",
		up: "Zum Inhalt",
	},
	en: {
		title: "Handbook",
		lead: "Everything about Inselnetz, to read and to print. This page lies on your device and needs no internet.",
		contents: "Contents",
		skip: "Skip to the text",
		other: "Deutsch",
		home: "To Inselnetz",
		up: "To the contents",
	},
};

// sheet writes the page of a language from its chapters.
export function sheet(language, chapters) {
	const say = words[language];
	const other = language === "de" ? "en" : "de";
	const contents = chapters.map(
		(c) =>
			`<li><a href="#${c.id}">${c.title}</a><ul>${c.sections.map((s) => `<li><a href="#${c.id}.${s.id}">${s.title}</a></li>`).join("")}</ul></li>`,
	);
	const text = chapters.map(
		(c) => `<section class="chapter" aria-labelledby="${c.id}">
<h2 id="${c.id}">${c.title}</h2>
${c.html}
${c.sections.map((s) => `<h3 id="${c.id}.${s.id}">${s.title}</h3>\n${s.html}`).join("\n")}
<p class="up"><a href="#contents">${say.up}</a></p>
</section>`,
	);
	return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${say.title} – Inselnetz</title>
<link rel="icon" href="logo.svg" type="image/svg+xml">
<link rel="stylesheet" href="handbook.css">
</head>
<body>
<a class="skip" href="#text">${say.skip}</a>
<header>
<a class="brand" href="../"><img src="logo.svg" width="32" height="32" alt="">Inselnetz<span class="vh"> – ${say.home}</span></a>
<a class="other" href="${other}.html" lang="${other}" hreflang="${other}">${say.other}</a>
</header>
<nav aria-labelledby="contents">
<h2 id="contents">${say.contents}</h2>
<ol>${contents.join("\n")}</ol>
</nav>
<main id="text" tabindex="-1">
<h1>${say.title}</h1>
<p class="lead">${say.lead}</p>
${text.join("\n")}
</main>
</body>
</html>
`;
}
