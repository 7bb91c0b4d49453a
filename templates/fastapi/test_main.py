import base64
import http.client
import io
import json
import threading
import time
import unittest

import uvicorn

from log import log_json
from main import app


def bearer(claims):
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"Bearer e30.{payload}.SIGNATURE_REMOVED_BY_GOOGLE"


class ServiceTest(unittest.TestCase):
    def setUp(self):
        self.stdout = io.StringIO()
        log_json(self.stdout)

        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        self.addCleanup(self.stop)
        while not self.server.started:
            self.assertTrue(self.thread.is_alive())
            time.sleep(0.01)

    def stop(self):
        self.server.should_exit = True
        self.thread.join()

    def get(self, path, headers=None):
        port = self.server.servers[0].sockets[0].getsockname()[1]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, json.load(answer)
        finally:
            connection.close()

    def logged(self):
        """All that was logged, the server being stopped first so that it is complete."""
        self.stop()
        return [json.loads(line) for line in self.stdout.getvalue().splitlines()]

    def whoami(self, headers):
        status, answer = self.get("/whoami", headers)
        self.assertEqual(status, 200)
        return answer["email"]

    def test_greets(self):
        self.assertEqual(self.get("/"), (200, {"message": "Hello World from authenticated Cloud Run!"}))

    def test_names_the_caller(self):
        token = bearer({"email": "ada@example.com"})
        self.assertEqual(self.whoami({"Authorization": token}), "ada@example.com")
        self.assertEqual(self.whoami({"Authorization": token.replace("Bearer", "bearer")}), "ada@example.com")

    def test_believes_the_header_that_cloud_run_has_checked(self):
        checked = bearer({"email": "ada@example.com"})
        forged = bearer({"email": "forged@example.com"})
        headers = {"Authorization": forged, "X-Serverless-Authorization": checked}
        self.assertEqual(self.whoami(headers), "ada@example.com")

    def test_names_nobody_where_no_email_address_can_be_read(self):
        self.assertIsNone(self.whoami({}))
        odd = ["", "Bearer", "Basic YTpi", "Bearer a.b", "Bearer a.!.c", bearer(None), bearer({}), bearer({"email": 1})]
        for credential in odd:
            with self.subTest(credential):
                self.assertIsNone(self.whoami({"Authorization": credential}))

    def test_answers_an_unknown_path_in_json(self):
        self.assertEqual(self.get("/nowhere"), (404, {"error": "Not Found"}))

    def test_logs_a_request_in_one_line_without_its_token_and_its_query(self):
        token = bearer({"email": "ada@example.com"})
        self.get("/whoami?secret=1", {"Authorization": token, "User-Agent": "test"})
        (line,) = [line for line in self.logged() if "httpRequest" in line]
        self.assertRegex(line["httpRequest"].pop("latency"), r"^\d+\.\d{3}s$")
        request = {"requestMethod": "GET", "requestUrl": "/whoami", "status": 200, "userAgent": "test"}
        self.assertEqual(line, {"severity": "INFO", "message": "GET /whoami 200", "httpRequest": request})
        self.assertNotIn(token, self.stdout.getvalue())

    def test_answers_an_unexpected_error_with_500_and_logs_its_traceback(self):
        app.add_api_route("/broken", lambda: 1 / 0)
        self.addCleanup(app.router.routes.pop)
        self.assertEqual(self.get("/broken"), (500, {"error": "Internal Server Error"}))
        errors = [line for line in self.logged() if line["severity"] == "ERROR"]
        self.assertEqual(len(errors), 2)
        self.assertEqual([line["httpRequest"]["status"] for line in errors if "httpRequest" in line], [500])
        self.assertEqual(len([line for line in errors if "ZeroDivisionError" in line["message"]]), 1)


if __name__ == "__main__":
    unittest.main()
