"""A camera of GStreamer that speaks RTSP and wants a password: ``python3 gstreamer_camera.py PORT``.

Run by a Python that has the bindings, on Debian those of ``python3-gi gir1.2-gst-rtsp-server-1.0
gstreamer1.0-plugins-good``; prints a line when it listens.
"""

# pyright: reportMissingImports=false, reportUnknownMemberType=false

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PICTURES = "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=64,height=48,framerate=25/1"

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_service(sys.argv[1])
auth = GstRtspServer.RTSPAuth()
token = GstRtspServer.RTSPToken()
token.set_string("media.factory.role", "viewer")
auth.add_basic(GstRtspServer.RTSPAuth.make_basic("admin", "hunter2"), token)
server.set_auth(auth)
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(f"( {PICTURES} ! jpegenc ! rtpjpegpay name=pay0 pt=26 )")
permissions = GstRtspServer.RTSPPermissions()
permissions.add_permission_for_role("viewer", "media.factory.access", True)
permissions.add_permission_for_role("viewer", "media.factory.construct", True)
factory.set_permissions(permissions)
server.get_mount_points().add_factory("/1", factory)
server.attach(None)
sys.stdout.write("listens\n")
sys.stdout.flush()
GLib.MainLoop().run()
