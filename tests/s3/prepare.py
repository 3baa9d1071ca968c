"""Makes the buckets and the user that the S3 tests expect, then prints shell exports.

    prepare.py moto OPEN_URL AUTH_URL
    prepare.py ceph URL ACCESS_KEY SECRET_KEY

On the moto with authentication the first three calls are free: they make the user, its
key and its policy. Everything after them is signed with that key, here and in the tests.
Ceph checks every signature, so there one server plays both parts.
"""

import json
import shlex
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = "tamis-test"
AUTH_BUCKET = "tamis-test-auth"
REGION = "us-east-1"
USER = "tamis-test"
# The open server checks no signature, but a client still has to sign with something.
OPEN_ACCESS_KEY = "open-access-key"
OPEN_SECRET_KEY = "open-secret-key"


def client(service: str, url: str, access_key: str, secret_key: str):
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, proxies={}),
    )


def variables(prefix: str, url: str, bucket: str, access_key: str, secret_key: str) -> dict[str, str]:
    client("s3", url, access_key, secret_key).create_bucket(Bucket=bucket)
    return {
        f"{prefix}_ENDPOINT": url,
        f"{prefix}_BUCKET": bucket,
        f"{prefix}_ACCESS_KEY": access_key,
        f"{prefix}_SECRET_KEY": secret_key,
    }


def open_server(url: str, access_key: str, secret_key: str) -> dict[str, str]:
    return variables("TAMIS_TEST_S3", url, BUCKET, access_key, secret_key)


def checking_server(url: str, access_key: str, secret_key: str) -> dict[str, str]:
    made = variables("TAMIS_TEST_S3_AUTH", url, AUTH_BUCKET, access_key, secret_key)
    # A server that lets anybody in would make every bad-credential test pass for nothing.
    try:
        client("s3", url, access_key, "wrong-secret").list_objects_v2(Bucket=AUTH_BUCKET)
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] != "SignatureDoesNotMatch":
            raise
    else:
        sys.exit(f"{url} accepted a wrong secret: it checks no signatures")
    return made


def make_moto_user(url: str) -> tuple[str, str]:
    iam = client("iam", url, "not-checked-yet", "not-checked-yet")
    iam.create_user(UserName=USER)
    key = iam.create_access_key(UserName=USER)["AccessKey"]
    iam.put_user_policy(
        UserName=USER,
        PolicyName="everything-in-s3",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
            }
        ),
    )
    return key["AccessKeyId"], key["SecretAccessKey"]


def main() -> None:
    match sys.argv[1:]:
        case ["moto", open_url, auth_url]:
            made = open_server(open_url, OPEN_ACCESS_KEY, OPEN_SECRET_KEY)
            made |= checking_server(auth_url, *make_moto_user(auth_url))
        case ["ceph", url, access_key, secret_key]:
            made = open_server(url, access_key, secret_key)
            made |= checking_server(url, access_key, secret_key)
        case _:
            sys.exit(__doc__)
    made["TAMIS_TEST_S3_KIND"] = sys.argv[1]
    for name, value in made.items():
        print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main()
