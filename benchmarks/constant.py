"""The framework's own limit: Flask answering the same few words, on the same server as the marketplace."""

from flask import Flask
from flask.typing import ResponseReturnValue

app = Flask(__name__)


@app.get("/")
def constant() -> ResponseReturnValue:
    return {"answer": "the same for everyone"}
