"""What schemathesis does not know by itself: pieces of an upload are bytes, records a line each are text."""

import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
schemathesis.serializer.alias("application/x-ndjson", "text/plain")
