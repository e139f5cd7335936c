// What build/handbook.mjs makes of the handbook for the window.
declare module "virtual:handbook/*" {
	export interface Section {
		id: string;
		title: string;
		html: string;
		text: string; // the same without marks, to search in
	}
	export interface Chapter extends Section {
		sections: Section[];
	}
	const chapters: Chapter[];
	export default chapters;
}
