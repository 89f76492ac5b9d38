"""Where the records of JSON text begin and end, in any layout: `framer.JsonFramer`."""
