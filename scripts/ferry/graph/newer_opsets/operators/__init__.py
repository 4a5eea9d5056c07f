"""How each newer operator, or newer form of an old one, is written: one module a kind. All of them are registered."""
