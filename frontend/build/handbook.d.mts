import type { Plugin } from "vite";

export default function handbook(): Plugin;
