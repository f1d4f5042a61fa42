"""What is wrong with something that a program sent, in the reader's language."""

from typing import Any

from flask_babel import gettext as _


def sentence(error: Any) -> str:
    """Of one error that pydantic found."""
    context = error.get("ctx", {})
    names = ("ge", "le", "max_length", "min_length", "expected")
    bound = next((context[name] for name in names if name in context), "")
    sentences = {
        "greater_than_equal": _("It must be at least %(bound)s.", bound=bound),
        "less_than_equal": _("It may be at most %(bound)s.", bound=bound),
        "string_too_long": _("It may have at most %(bound)s characters.", bound=bound),
        "string_too_short": _("It has at least %(bound)s characters.", bound=bound),
        "too_long": _("There may be at most %(bound)s of these.", bound=bound),
        "too_short": _("There must be at least %(bound)s of these.", bound=bound),
        "literal_error": _("It must be one of these: %(bound)s.", bound=bound),
        "enum": _("It must be one of these: %(bound)s.", bound=bound),
        "string_pattern_mismatch": _("It is not a known code."),
        "missing": _("It is missing."),
        "extra_forbidden": _("There is no such field."),
        "string_type": _("It must be text."),
        "string_unicode": _("It must be text."),
        "bool_type": _("It must be true or false."),
        "bool_parsing": _("It must be true or false."),
        "list_type": _("It must be a list."),
        "model_type": _("It must be an object."),
        "model_attributes_type": _("It must be an object."),
        "json_invalid": _("This is no JSON."),
    }
    return str(sentences.get(error["type"]) or _("It must be a whole number."))
