// Paths in a folder: parts with slashes between, no slash at the start.

// parent is the directory a path lies in; "" is the folder itself.
export const parent = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));

// base is the last part of a path.
export const base = (path: string) => path.slice(path.lastIndexOf("/") + 1);

export const join = (dir: string, name: string) => (dir ? `${dir}/${name}` : name);

// within says whether a path is a directory or lies in it.
export const within = (path: string, dir: string) => path === dir || path.startsWith(`${dir}/`);

// steps are the directories from the folder down to a path, itself too.
export function steps(path: string): string[] {
	const parts = path ? path.split("/") : [];
	return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

// ending is what follows the last dot of a name, with the dot; "" if nothing does.
export function ending(name: string): string {
	const dot = name.lastIndexOf(".");
	return dot > 0 ? name.slice(dot) : "";
}
