package bep

// slashOnWindows is what Syncthing's library puts between names on Windows,
// undone; it drops paths that hold a backslash itself.
const slashOnWindows = "/"
