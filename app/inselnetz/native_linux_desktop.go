//go:build desktop && linux

package main

/*
#cgo pkg-config: gtk+-3.0 webkit2gtk-4.1
#include <gtk/gtk.h>
#include <webkit2/webkit2.h>

// The window library has no way to these two of its webview.

static void zoom_in(GtkWidget *w, gpointer level) {
	if (WEBKIT_IS_WEB_VIEW(w)) {
		webkit_web_view_set_zoom_level(WEBKIT_WEB_VIEW(w), *(double *)level);
	} else if (GTK_IS_CONTAINER(w)) {
		gtk_container_forall(GTK_CONTAINER(w), zoom_in, level);
	}
}

static gboolean zoom_all(gpointer level) {
	GList *tops = gtk_window_list_toplevels();
	for (GList *t = tops; t != NULL; t = t->next) {
		zoom_in(GTK_WIDGET(t->data), level);
	}
	g_list_free(tops);
	g_free(level);
	return G_SOURCE_REMOVE;
}

static void set_zoom(double level) {
	double *l = g_new(double, 1);
	*l = level;
	g_idle_add(zoom_all, l);
}

static gboolean check_spelling(gpointer unused) {
	const gchar *languages[] = {"de_DE", "de_AT", "de_CH", "en_GB", "en_US", NULL};
	WebKitWebContext *c = webkit_web_context_get_default();
	webkit_web_context_set_spell_checking_languages(c, languages);
	webkit_web_context_set_spell_checking_enabled(c, TRUE);
	return G_SOURCE_REMOVE;
}

static void spelling(void) { g_idle_add(check_spelling, NULL); }
*/
import "C"

import "github.com/wailsapp/wails/v2/pkg/options"

// nativeStart is done when the window is there: words are checked with the
// dictionaries that the system has.
func nativeStart(zoom float64) {
	C.spelling()
	nativeZoom(zoom)
}

func nativeZoom(zoom float64) { C.set_zoom(C.double(zoom)) }

// nativeOptions asks for what is dropped on the window: this webview shows the
// page the addresses of files and no files.
func nativeOptions(o *options.App, _ float64) {
	o.DragAndDrop = &options.DragAndDrop{EnableFileDrop: true}
}

// pageZooms: the page asks for another zoom.
const pageZooms = true
