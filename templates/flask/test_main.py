import base64
import io
import json
import unittest

from log import log_json
from main import app


def bearer(claims):
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"Bearer e30.{payload}.SIGNATURE_REMOVED_BY_GOOGLE"


class ServiceTest(unittest.TestCase):
    def setUp(self):
        self.client = app.test_client()
        self.stdout = io.StringIO()
        log_json(self.stdout)

    def whoami(self, **headers):
        response = self.client.get("/whoami", headers={name.replace("_", "-"): value for name, value in headers.items()})
        self.assertEqual(response.status_code, 200)
        return response.get_json()["email"]

    def test_returns_the_greeting(self):
        response = self.client.get("/")
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.get_json(), {"message": "Hello World from authenticated Cloud Run!"})

    def test_returns_the_caller(self):
        token = bearer({"email": "ada@example.com"})
        self.assertEqual(self.whoami(Authorization=token), "ada@example.com")
        self.assertEqual(self.whoami(Authorization=token.replace("Bearer", "bearer")), "ada@example.com")

    def test_prefers_x_serverless_authorization(self):
        checked = bearer({"email": "ada@example.com"})
        forged = bearer({"email": "forged@example.com"})
        self.assertEqual(self.whoami(Authorization=forged, X_Serverless_Authorization=checked), "ada@example.com")

    def test_returns_null_without_an_email_address(self):
        self.assertIsNone(self.whoami())
        invalid = ["", "Bearer", "Basic YTpi", "Bearer a.b", "Bearer a.!.c", bearer(None), bearer({}), bearer({"email": 1})]
        for credential in invalid:
            with self.subTest(credential):
                self.assertIsNone(self.whoami(Authorization=credential))

    def test_returns_404_as_json(self):
        response = self.client.get("/unknown")
        self.assertEqual(response.status_code, 404)
        self.assertEqual(response.get_json(), {"error": "Not Found"})

    def test_returns_500_and_logs_the_traceback_of_an_unexpected_error(self):
        view = app.view_functions["hello"]
        self.addCleanup(app.view_functions.__setitem__, "hello", view)
        app.view_functions["hello"] = lambda: 1 / 0
        response = self.client.get("/")
        self.assertEqual(response.status_code, 500)
        self.assertEqual(response.get_json(), {"error": "Internal Server Error"})
        (line,) = [json.loads(line) for line in self.stdout.getvalue().splitlines()]
        self.assertEqual(line["severity"], "ERROR")
        self.assertIn("ZeroDivisionError", line["message"])


if __name__ == "__main__":
    unittest.main()
