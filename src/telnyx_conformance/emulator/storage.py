"""Object storage: buckets and objects of an account behind the ten S3 operations, answered in S3's XML."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, unescape

from telnyx_conformance.emulator.account import Account, Answer, Ask

XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
NAMED_KEY = re.compile(r"<Key>([^<]{1,1024})</Key>")
MOST_BYTES = 16 * 1024 * 1024
BUCKETS = "buckets"
OBJECTS = "objects"


def handle(account: Account, ask: Ask) -> Answer:
    """Carry out one S3 operation."""
    return HANDLERS[ask.operation.id](account, ask)


def _xml(text: str, status: int = 200) -> Answer:
    return Answer(status=status, raw=(XML + text).encode("utf-8", "replace"), media_type="text/xml")


def missing(what: str, resource: str, status: int = 404) -> Answer:
    """Return S3's refusal."""
    return _xml(
        f"<Error><Code>{what}</Code><Message>{what}</Message><Resource>{escape(resource)}</Resource></Error>", status
    )


def _list_buckets(account: Account, ask: Ask) -> Answer:
    del ask
    names = [key for key, _ in account.store.collection((BUCKETS,)).items()]
    inside = "".join(f"<Bucket><Name>{escape(name)}</Name></Bucket>" for name in names)
    return _xml(f'<ListAllMyBucketsResult xmlns="{NAMESPACE}"><Buckets>{inside}</Buckets></ListAllMyBucketsResult>')


def _create_bucket(account: Account, ask: Ask) -> Answer:
    name = ask.path["bucketName"]
    account.store.collection((BUCKETS,)).put(name, {"name": name})
    return Answer()


def _bucket_exists(account: Account, ask: Ask) -> bool:
    return account.mode == "stub" or account.store.find(BUCKETS, ask.path["bucketName"]) is not None


def _list_objects(account: Account, ask: Ask) -> Answer:
    name = ask.path["bucketName"]
    if not _bucket_exists(account, ask):
        return missing("NoSuchBucket", name)
    objects = account.store.collection((OBJECTS, name)).items()
    inside = "".join(f"<Contents><Key>{escape(k)}</Key><Size>{len(o['content'])}</Size></Contents>" for k, o in objects)
    return _xml(f'<ListBucketResult xmlns="{NAMESPACE}"><Name>{escape(name)}</Name>{inside}</ListBucketResult>')


def _delete_objects(account: Account, ask: Ask) -> Answer:
    if not _bucket_exists(account, ask):
        return missing("NoSuchBucket", ask.path["bucketName"])
    kept = account.store.collection((OBJECTS, ask.path["bucketName"]))
    named = [unescape(name) for name in NAMED_KEY.findall(ask.body if isinstance(ask.body, str) else "")]
    for name in named:
        kept.remove(name)
    inside = "".join(f"<Deleted><Key>{escape(name)}</Key></Deleted>" for name in named)
    return _xml(f'<DeleteResult xmlns="{NAMESPACE}">{inside}</DeleteResult>')


def _delete_bucket(account: Account, ask: Ask) -> Answer:
    if not _bucket_exists(account, ask):
        return missing("NoSuchBucket", ask.path["bucketName"])
    account.store.collection((BUCKETS,)).remove(ask.path["bucketName"])
    return Answer(status=204)


def _head_bucket(account: Account, ask: Ask) -> Answer:
    return Answer() if _bucket_exists(account, ask) else Answer(status=404)


def _object(account: Account, ask: Ask) -> bytes | None:
    if account.mode == "stub":
        return b"sample\n"
    found = account.store.collection((OBJECTS, ask.path["bucketName"])).get(ask.path["objectName"])
    return None if found is None else bytes(found["content"])


def _get_object(account: Account, ask: Ask) -> Answer:
    content = _object(account, ask)
    if content is None:
        return missing("NoSuchKey", ask.path["objectName"])
    return Answer(raw=content, media_type="application/octet-stream")


def _put_object(account: Account, ask: Ask) -> Answer:
    if not _bucket_exists(account, ask):
        return missing("NoSuchBucket", ask.path["bucketName"])
    text = ask.body if isinstance(ask.body, str) else ""
    content = text.encode("latin-1", "replace")
    kept = account.store.collection((OBJECTS, ask.path["bucketName"]))
    if sum(len(record["content"]) for record in kept) + len(content) > MOST_BYTES:
        return missing("EntityTooLarge", ask.path["objectName"], 400)
    kept.put(ask.path["objectName"], {"content": content})
    return Answer()


def _delete_object(account: Account, ask: Ask) -> Answer:
    account.store.collection((OBJECTS, ask.path["bucketName"])).remove(ask.path["objectName"])
    return Answer(status=204)


def _head_object(account: Account, ask: Ask) -> Answer:
    return Answer() if _object(account, ask) is not None else Answer(status=404)


HANDLERS = {
    "ListBuckets": _list_buckets,
    "CreateBucket": _create_bucket,
    "ListObjects": _list_objects,
    "DeleteObjects": _delete_objects,
    "DeleteBucket": _delete_bucket,
    "HeadBucket": _head_bucket,
    "GetObject": _get_object,
    "PutObject": _put_object,
    "DeleteObject": _delete_object,
    "HeadObject": _head_object,
}
