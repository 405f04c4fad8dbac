"""flask-session: a visitor's session is there at whatever node the next request asks."""

import redis
from flask import Flask, session
from flask_session import Session
from place import HOST, PORTS


def make_app(port: int) -> Flask:
    app = Flask(__name__)
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=redis.Redis(HOST, port), SECRET_KEY="x")
    Session(app)

    @app.get("/visit")
    def visit() -> str:
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])

    @app.get("/leave")
    def leave() -> str:
        session.clear()
        return "left"

    return app


browsers = [make_app(port).test_client() for port in PORTS]
assert browsers[0].get("/visit").text == "1"
cookie = browsers[0].get_cookie("session")
for number, browser in enumerate(browsers, 2):
    browser.set_cookie("session", cookie.value)
    assert browser.get("/visit").text == str(number)
assert browsers[2].get("/leave").text == "left"
assert browsers[0].get("/visit").text == "1"
