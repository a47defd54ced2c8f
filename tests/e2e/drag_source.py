"""A small window that offers the files of its arguments to be dragged away, as a file manager does."""

import pathlib
import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Gdk, Gtk  # noqa: E402


def say(word):
    print(word, flush=True)
    return False


uris = [pathlib.Path(path).resolve().as_uri() for path in sys.argv[1:]]
window = Gtk.Window(title="fettle-drag-source", type=Gtk.WindowType.TOPLEVEL)
window.set_default_size(100, 60)
window.set_keep_above(True)
box = Gtk.EventBox()
box.add(Gtk.Label(label="drag"))
window.add(box)
box.drag_source_set(
    Gdk.ModifierType.BUTTON1_MASK,
    [Gtk.TargetEntry.new("text/uri-list", 0, 0)],
    Gdk.DragAction.COPY,
)
box.connect("drag-data-get", lambda _box, _context, data, _info, _time: data.set_uris(uris))
box.connect("drag-end", lambda *_: say("drag-end"))
box.connect("drag-failed", lambda *_: say("drag-failed"))
window.connect("map-event", lambda *_: say("ready"))
screen = Gdk.Display.get_default().get_monitor(0).get_geometry()
window.move(screen.width - 110, screen.height - 70)
window.show_all()
Gtk.main()
