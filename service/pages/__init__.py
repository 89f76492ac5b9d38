"""The pages: HTML that the server makes, which works without JavaScript; htmx makes it quicker where there is some."""
