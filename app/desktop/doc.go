// Package desktop is what a desktop program asks of the computer it runs on:
// an icon beside the clock, notifications, a start at login, and the place of
// its window. It knows nothing of offices.
//
// Where a platform has no such thing, the functions say so and do nothing.
package desktop
