"""A file lying on the desktop, to be dragged from the top left corner."""

import pathlib
import sys

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gtk  # noqa: E402

window = Gtk.Window(type=Gtk.WindowType.POPUP)
window.set_default_size(60, 60)
window.move(0, 0)
file = Gtk.EventBox()
file.add(Gtk.Label(label="Datei"))
file.drag_source_set(Gdk.ModifierType.BUTTON1_MASK, [], Gdk.DragAction.COPY)
file.drag_source_add_uri_targets()
file.connect("drag-data-get", lambda _w, _c, data, _i, _t: data.set_uris([pathlib.Path(sys.argv[1]).as_uri()]))
window.connect("map-event", lambda *_: print("here", flush=True))
window.add(file)
window.show_all()
Gtk.main()
