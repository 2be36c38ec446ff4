"""What a person sees in the browser: forms, Markdown, charts, estimates in words, and the keys these stand under."""
