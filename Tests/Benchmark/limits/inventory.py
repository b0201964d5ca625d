"""What a plain script takes to bring a tenant's devices into a table: pages by a common client, rows by executemany.

Usage: PEER_SECRET=… inventory.py SANDBOX_URL TENANT CLIENT DATABASE_URL
Prints {"devices", "seconds", "peak_mb"} as JSON.
"""

import json
import os
import resource
import sys
import time

import psycopg2
import requests

COLUMNS = [
    "id", "deviceName", "userPrincipalName", "operatingSystem", "osVersion", "manufacturer", "model", "serialNumber",
    "azureADDeviceId", "managedDeviceOwnerType", "complianceState", "lastSyncDateTime",
]
TABLE = """
CREATE TABLE IF NOT EXISTS peer_devices (
    id text PRIMARY KEY, name text, user_principal_name text, operating_system text, os_version text,
    manufacturer text, model text, serial_number text, entra_device_id text, owner_type text, compliance_state text,
    last_sync_at timestamptz)
"""
UPSERT = """
INSERT INTO peer_devices VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, user_principal_name = excluded.user_principal_name,
    operating_system = excluded.operating_system, os_version = excluded.os_version,
    manufacturer = excluded.manufacturer, model = excluded.model, serial_number = excluded.serial_number,
    entra_device_id = excluded.entra_device_id, owner_type = excluded.owner_type,
    compliance_state = excluded.compliance_state, last_sync_at = excluded.last_sync_at
"""


def main(url, tenant, client, database):
    begin = time.monotonic()
    session = requests.Session()
    form = {
        "grant_type": "client_credentials", "client_id": client, "client_secret": os.environ["PEER_SECRET"],
        "scope": "https://graph.microsoft.com/.default",
    }
    token = session.post(f"{url}/{tenant}/oauth2/v2.0/token", data=form, timeout=30)
    token.raise_for_status()
    session.headers["Authorization"] = "Bearer " + token.json()["access_token"]
    connection = psycopg2.connect(database)
    cursor = connection.cursor()
    cursor.execute(TABLE)
    connection.commit()
    link = f"{url}/v1.0/deviceManagement/managedDevices?$select={','.join(COLUMNS)}&$top=1000"
    devices = 0
    while link:
        answer = session.get(link, timeout=60)
        answer.raise_for_status()
        page = answer.json()
        rows = [tuple(device.get(name) for name in COLUMNS) for device in page["value"]]
        cursor.executemany(UPSERT, rows)
        connection.commit()
        devices += len(rows)
        link = page.get("@odata.nextLink")
    connection.close()
    print(json.dumps({
        "devices": devices, "seconds": round(time.monotonic() - begin, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])
