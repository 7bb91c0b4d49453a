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

    def lines(self):
        return [json.loads(line) for line in self.stdout.getvalue().splitlines()]

    def whoami(self, **headers):
        answer = self.client.get("/whoami", headers={name.replace("_", "-"): value for name, value in headers.items()})
        self.assertEqual(answer.status_code, 200)
        return answer.get_json()["email"]

    def test_greets(self):
        answer = self.client.get("/")
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.get_json(), {"message": "Hello World from authenticated Cloud Run!"})

    def test_names_the_caller(self):
        token = bearer({"email": "ada@example.com"})
        self.assertEqual(self.whoami(Authorization=token), "ada@example.com")
        self.assertEqual(self.whoami(Authorization=token.replace("Bearer", "bearer")), "ada@example.com")

    def test_believes_the_header_that_cloud_run_has_checked(self):
        checked = bearer({"email": "ada@example.com"})
        forged = bearer({"email": "forged@example.com"})
        self.assertEqual(self.whoami(Authorization=forged, X_Serverless_Authorization=checked), "ada@example.com")

    def test_names_nobody_where_no_email_address_can_be_read(self):
        self.assertIsNone(self.whoami())
        odd = ["", "Bearer", "Basic YTpi", "Bearer a.b", "Bearer a.!.c", bearer(None), bearer({}), bearer({"email": 1})]
        for credential in odd:
            with self.subTest(credential):
                self.assertIsNone(self.whoami(Authorization=credential))

    def test_answers_an_unknown_path_in_json(self):
        answer = self.client.get("/nowhere")
        self.assertEqual(answer.status_code, 404)
        self.assertEqual(answer.get_json(), {"error": "Not Found"})

    def test_logs_a_request_in_one_line_without_its_token_and_its_query(self):
        token = bearer({"email": "ada@example.com"})
        self.client.get("/whoami?secret=1", headers={"Authorization": token, "User-Agent": "test"})
        (line,) = self.lines()
        self.assertRegex(line["httpRequest"].pop("latency"), r"^\d+\.\d{3}s$")
        request = {"requestMethod": "GET", "requestUrl": "/whoami", "status": 200, "userAgent": "test"}
        self.assertEqual(line, {"severity": "INFO", "message": "GET /whoami 200", "httpRequest": request})

    def test_answers_an_unexpected_error_with_500_and_logs_its_traceback(self):
        view = app.view_functions["hello"]
        self.addCleanup(app.view_functions.__setitem__, "hello", view)
        app.view_functions["hello"] = lambda: 1 / 0
        answer = self.client.get("/")
        self.assertEqual(answer.status_code, 500)
        self.assertEqual(answer.get_json(), {"error": "Internal Server Error"})
        traceback, request = self.lines()
        self.assertIn("ZeroDivisionError", traceback["message"])
        self.assertEqual([traceback["severity"], request["severity"]], ["ERROR", "ERROR"])


if __name__ == "__main__":
    unittest.main()
