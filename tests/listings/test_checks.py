from flask import Flask
from flask_babel import force_locale

from listings.checks import sentences


def test_findings_are_told_in_the_readers_language(app: Flask) -> None:
    findings = {"altitude_m": 1080, "sugar_tenths": 142, "residue_found": 0, "unheard_of": 1}

    with app.test_request_context():
        assert sentences(findings) == ["海拔 1,080 米", "糖度 14.2", "农残未检出"]
    with app.test_request_context(), force_locale("en"):
        assert sentences(findings) == ["grown at 1,080 m", "sugar 14.2 °Brix", "no pesticide residue found"]


def test_a_percentage_keeps_its_sign(app: Flask) -> None:
    with app.test_request_context():
        assert sentences({"moisture_tenths": 126}) == ["水分 12.6%"]
