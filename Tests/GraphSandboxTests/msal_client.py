"""Microsoft's own client libraries against a running sandbox.

Usage: msal_client.py SANDBOX_URL TENANT_ID CLIENT_ID CLIENT_SECRET EXPECTED_DEVICES PEM_FILE

PEM_FILE holds a private key and its certificate, which is registered with the application.

Needs the packages msal and requests; with azure-identity and msgraph-core installed, these are exercised as
well. The libraries insist on https, so a small proxy with a certificate of its own stands in front.
Prints one JSON line with what was tested, and ends with status 1 when anything fails.
"""

import asyncio
import base64
import hashlib
import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import msal
import requests

SCOPE = "https://graph.microsoft.com/.default"
FIELDS = "id,deviceName,complianceState,lastSyncDateTime,operatingSystem,userPrincipalName"


class TLSProxy:
    """Terminates TLS on a free port and tells the sandbox the address that the client used."""

    def __init__(self, target, folder):
        self.target = urllib.parse.urlsplit(target)
        self.certificate = os.path.join(folder, "certificate.pem")
        self.key = os.path.join(folder, "key.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", self.key, "-out", self.certificate],
            check=True, capture_output=True)
        self.ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        if not self.ready.wait(10):
            raise RuntimeError("the proxy did not start")

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    async def _serve(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await server.serve_forever()

    async def _connection(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            inner_reader, inner_writer = await asyncio.open_connection(self.target.hostname, self.target.port)
            lines = [line for line in head[:-4].split(b"\r\n") if not line.lower().startswith(b"connection:")]
            # One request per connection: the headers of a second one would pass unchanged.
            lines += [b"X-Forwarded-Proto: https", b"Connection: close"]
            inner_writer.write(b"\r\n".join(lines) + b"\r\n\r\n")
            upload = asyncio.create_task(self._copy(reader, inner_writer, close=False))
            await self._copy(inner_reader, writer, close=True)
            upload.cancel()
            inner_writer.close()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            writer.close()

    @staticmethod
    async def _copy(reader, writer, close):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if close:
            writer.close()


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def page_all(session, url, token, expected):
    """Reads all pages and returns the ids."""
    ids, pages = set(), 0
    while url:
        answer = session.get(url, headers={"Authorization": f"Bearer {token}"})
        check(answer.status_code == 200, f"page {pages}: {answer.status_code} {answer.text[:300]}")
        body = answer.json()
        ids.update(device["id"] for device in body["value"])
        url = body.get("@odata.nextLink")
        pages += 1
    check(len(ids) == expected, f"{len(ids)} devices instead of {expected}")
    return pages


def with_msal(proxy, tenant, client, secret, expected):
    app = msal.ConfidentialClientApplication(
        client, client_credential=secret, authority=f"{proxy.url}/{tenant}", validate_authority=False,
        instance_discovery=False, verify=proxy.certificate)
    result = app.acquire_token_for_client(scopes=[SCOPE])
    check("access_token" in result, f"no token: {result}")
    check(result["token_type"] == "Bearer" and result["expires_in"] > 0, "token type or lifetime")
    again = app.acquire_token_for_client(scopes=[SCOPE])
    check(again["access_token"] == result["access_token"], "the token was not cached")
    session = requests.Session()
    session.verify = proxy.certificate
    url = f"{proxy.url}/v1.0/deviceManagement/managedDevices?$select={FIELDS}&$top=400"
    pages = page_all(session, url, result["access_token"], expected)
    check(pages == max(1, -(-expected // 400)), f"{pages} pages")
    return pages


def with_wrong_secret(proxy, tenant, client):
    app = msal.ConfidentialClientApplication(
        client, client_credential="wrong", authority=f"{proxy.url}/{tenant}", validate_authority=False,
        instance_discovery=False, verify=proxy.certificate)
    result = app.acquire_token_for_client(scopes=[SCOPE])
    check(result.get("error") == "invalid_client", f"{result}")
    check(result.get("error_codes") == [7000215], f"{result}")


def with_certificate(proxy, tenant, client, pem_file):
    """Assertions in the present form (PS256, x5t#S256) and in the older one (RS256, x5t)."""
    with open(pem_file) as file:
        pem = file.read()
    certificate = pem[pem.index("-----BEGIN CERTIFICATE-----"):]
    der = ssl.PEM_cert_to_DER_cert(certificate)
    forms = {
        "PS256": {"private_key": pem, "public_certificate": certificate},
        "RS256": {"private_key": pem, "thumbprint": hashlib.sha1(der).hexdigest()},
    }
    for name, credential in forms.items():
        app = msal.ConfidentialClientApplication(
            client, client_credential=credential, authority=f"{proxy.url}/{tenant}", validate_authority=False,
            instance_discovery=False, verify=proxy.certificate)
        result = app.acquire_token_for_client(scopes=[SCOPE])
        check("access_token" in result, f"{name}: no token: {result}")
        claims = result["access_token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        check(claims["appidacr"] == "2", f"{name}: {claims}")
    return sorted(forms)


def with_unregistered_certificate(proxy, tenant, client):
    """The proxy's own certificate is none of the application's."""
    with open(proxy.key) as key, open(proxy.certificate) as certificate:
        credential = {"private_key": key.read(), "public_certificate": certificate.read()}
    app = msal.ConfidentialClientApplication(
        client, client_credential=credential, authority=f"{proxy.url}/{tenant}", validate_authority=False,
        instance_discovery=False, verify=proxy.certificate)
    result = app.acquire_token_for_client(scopes=[SCOPE])
    check(result.get("error") == "invalid_client", f"{result}")
    check(result.get("error_codes") == [700027], f"{result}")


def with_azure_certificate(proxy, tenant, client, pem_file):
    from azure.identity import CertificateCredential

    credential = CertificateCredential(
        tenant, client, pem_file, authority=proxy.url, disable_instance_discovery=True,
        connection_verify=proxy.certificate)
    return credential.get_token(SCOPE).token


def with_azure_identity(proxy, tenant, client, secret):
    from azure.identity import ClientSecretCredential

    credential = ClientSecretCredential(
        tenant, client, secret, authority=proxy.url, disable_instance_discovery=True,
        connection_verify=proxy.certificate)
    return credential.get_token(SCOPE).token


def with_graph_core(proxy, token, expected):
    """The pipeline of Microsoft's Graph SDK (retry, redirect, telemetry handlers) over httpx."""
    import httpx
    from msgraph_core import GraphClientFactory

    async def run():
        client = GraphClientFactory.create_with_default_middleware(
            client=httpx.AsyncClient(verify=ssl.create_default_context(cafile=proxy.certificate)))
        ids, url = set(), f"{proxy.url}/v1.0/deviceManagement/managedDevices?$select=id&$top=1000"
        while url:
            answer = await client.get(url, headers={"Authorization": f"Bearer {token}"})
            check(answer.status_code == 200, f"{answer.status_code} {answer.text[:300]}")
            ids.update(device["id"] for device in answer.json()["value"])
            url = answer.json().get("@odata.nextLink")
        check(len(ids) == expected, f"{len(ids)} devices instead of {expected}")

    asyncio.run(run())


def main():
    sandbox, tenant, client, secret, expected, pem_file = sys.argv[1:7]
    expected = int(expected)
    with tempfile.TemporaryDirectory() as folder:
        proxy = TLSProxy(sandbox, folder)
        # requests prefers a bundle that the environment names over a session's own.
        os.environ["REQUESTS_CA_BUNDLE"] = proxy.certificate
        os.environ.pop("CURL_CA_BUNDLE", None)
        done = {"pages": with_msal(proxy, tenant, client, secret, expected), "libraries": ["msal"]}
        with_wrong_secret(proxy, tenant, client)
        done["assertions"] = with_certificate(proxy, tenant, client, pem_file)
        with_unregistered_certificate(proxy, tenant, client)
        try:
            token = with_azure_identity(proxy, tenant, client, secret)
            check(with_azure_certificate(proxy, tenant, client, pem_file), "no token by certificate")
            done["libraries"].append("azure-identity")
            with_graph_core(proxy, token, expected)
            done["libraries"].append("msgraph-core")
        except ModuleNotFoundError as error:
            done["absent"] = error.name
        print(json.dumps(done))


if __name__ == "__main__":
    main()
