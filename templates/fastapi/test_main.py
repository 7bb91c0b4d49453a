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
            response = connection.getresponse()
            return response.status, json.load(response)
        finally:
            connection.close()

    def whoami(self, headers):
        status, body = self.get("/whoami", headers)
        self.assertEqual(status, 200)
        return body["email"]

    def test_returns_the_greeting(self):
        self.assertEqual(self.get("/"), (200, {"message": "Hello World from authenticated Cloud Run!"}))

    def test_returns_the_caller(self):
        token = bearer({"email": "ada@example.com"})
        self.assertEqual(self.whoami({"Authorization": token}), "ada@example.com")
        self.assertEqual(self.whoami({"Authorization": token.replace("Bearer", "bearer")}), "ada@example.com")

    def test_prefers_x_serverless_authorization(self):
        checked = bearer({"email": "ada@example.com"})
        forged = bearer({"email": "forged@example.com"})
        headers = {"Authorization": forged, "X-Serverless-Authorization": checked}
        self.assertEqual(self.whoami(headers), "ada@example.com")

    def test_returns_null_without_an_email_address(self):
        self.assertIsNone(self.whoami({}))
        invalid = ["", "Bearer", "Basic YTpi", "Bearer a.b", "Bearer a.!.c", bearer(None), bearer({}), bearer({"email": 1})]
        for credential in invalid:
            with self.subTest(credential):
                self.assertIsNone(self.whoami({"Authorization": credential}))

    def test_returns_404_as_json(self):
        self.assertEqual(self.get("/unknown"), (404, {"error": "Not Found"}))

    def test_returns_500_and_logs_the_traceback_of_an_unexpected_error(self):
        app.add_api_route("/broken", lambda: 1 / 0)
        self.addCleanup(app.router.routes.pop)
        self.assertEqual(self.get("/broken"), (500, {"error": "Internal Server Error"}))
        self.stop()
        lines = [json.loads(line) for line in self.stdout.getvalue().splitlines()]
        (error,) = [line for line in lines if line["severity"] == "ERROR"]
        self.assertIn("ZeroDivisionError", error["message"])


if __name__ == "__main__":
    unittest.main()
