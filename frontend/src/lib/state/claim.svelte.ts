// Whether a browser that is being paired still reads who it will act as.
class Claiming {
	open = $state(false);
}

export const claiming = new Claiming();
