// Whether the state of this device is being looked at.
class Checkup {
	open = $state(false);
}

export const checkup = new Checkup();
