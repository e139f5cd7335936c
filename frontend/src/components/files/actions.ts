import type { File } from "../../lib/api/types.gen";

// Actions is what one can do with a path of a list.
export interface Actions {
	readonly write: boolean; // one may change what is in the folder
	readonly kept: boolean; // the folder is kept on this device
	skipped(path: string): boolean; // this directory is not kept here
	open(file: File): void;
	show(file: File): void; // beside the list, or the directory itself
	enter(file: File): void; // a directory is about to be shown
	download(file: File): void;
	rename(file: File): void;
	suggested(file: File): void; // takes the name all devices can store
	move(files: File[]): void;
	remove(files: File[]): void;
	keep(file: File, kept: boolean): void;
	rewind(file: File): void;
	select(file: File): void;
}
