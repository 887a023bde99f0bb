"""Commands of extensions and their custom actions."""
