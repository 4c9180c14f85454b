"""ListObjectsV2: pages, prefixes, delimiters.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from urllib.parse import quote_plus
from xml.sax.saxutils import escape

from tests.faulty_s3.objects import Bucket, StoredObject

_MOST_KEYS = 1000
_MODIFIED = "2024-01-01T00:00:00.000Z"
# Above every key that begins with what stands before it.
_BEYOND = b"\xff"


def list_objects(bucket: Bucket, name: str, query: Mapping[str, str]) -> bytes:
    """The XML that answers a listing with these parameters."""
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    start_after = query.get("start-after", "").encode()
    if token := query.get("continuation-token"):
        start_after = base64.b64decode(token)
    most = min(int(query.get("max-keys", _MOST_KEYS)), _MOST_KEYS)
    objects, folders, resume = _page(bucket, prefix, delimiter, start_after, most)

    # S3 encodes the space as "+", which is what botocore decodes.
    url_encoded = query.get("encoding-type") == "url"
    encode: Callable[[str], str] = (lambda s: quote_plus(s, safe="/")) if url_encoded else escape
    page = [
        f"<Name>{name}</Name><Prefix>{encode(prefix)}</Prefix><MaxKeys>{most}</MaxKeys>",
        f"<KeyCount>{len(objects) + len(folders)}</KeyCount>",
        f"<IsTruncated>{'true' if resume else 'false'}</IsTruncated>",
    ]
    if url_encoded:
        page.append("<EncodingType>url</EncodingType>")
    if delimiter:
        page.append(f"<Delimiter>{encode(delimiter)}</Delimiter>")
    if resume:
        token = base64.b64encode(resume).decode()
        page.append(f"<NextContinuationToken>{token}</NextContinuationToken>")
    page += [_contents(stored, encode) for stored in objects]
    page += [
        f"<CommonPrefixes><Prefix>{encode(folder)}</Prefix></CommonPrefixes>" for folder in folders
    ]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"{''.join(page)}</ListBucketResult>"
    ).encode()


def _page(
    bucket: Bucket, prefix: str, delimiter: str, start_after: bytes, most: int
) -> tuple[list[StoredObject], list[str], bytes]:
    """Objects, common prefixes, and the key after which the next page begins, if there is one."""
    objects: list[StoredObject] = []
    folders: list[str] = []
    resume = start_after
    keys = bucket.after(prefix, start_after)
    while (stored := next(keys, None)) is not None:
        if len(objects) + len(folders) == most:
            return objects, folders, resume
        at = stored.key.find(delimiter, len(prefix)) if delimiter else -1
        if at < 0:
            objects.append(stored)
            resume = stored.key.encode()
        else:
            folders.append(stored.key[: at + len(delimiter)])
            resume = folders[-1].encode() + _BEYOND
            keys = bucket.after(prefix, resume)
    return objects, folders, b""


def _contents(stored: StoredObject, encode: Callable[[str], str]) -> str:
    return (
        f"<Contents><Key>{encode(stored.key)}</Key><LastModified>{_MODIFIED}</LastModified>"
        f"<ETag>{escape(stored.etag, {chr(34): '&quot;'})}</ETag><Size>{stored.size}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )
