"""A real Iceberg REST catalog: the server of Iceberg's own tests, with an SQLite file and with its metadata in S3.

Its fixture with all that it needs in one jar is not on Maven Central, so the jars are fetched one by one, into the
cache of this user. What Spark has too is taken from PySpark.
"""

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark
from platformdirs import user_cache_path
from support.deployment import PATIENCE

from stedi_common.engines.spark.java import java_home

MAVEN = "https://repo1.maven.org/maven2"
ICEBERG, JETTY = "1.10.0", "11.0.26"
#: As folder, artifact, version and classifier.
JARS = (
    ("org/apache/iceberg", "iceberg-open-api", ICEBERG, "-test-fixtures"),
    ("org/apache/iceberg", "iceberg-core", ICEBERG, "-tests"),
    ("org/apache/iceberg", "iceberg-aws", ICEBERG, ""),
    ("org/apache/iceberg", "iceberg-aws-bundle", ICEBERG, ""),
    *(("org/apache/iceberg", f"iceberg-{name}", ICEBERG, "") for name in ("core", "api", "common", "bundled-guava")),
    *(
        ("org/eclipse/jetty", f"jetty-{name}", JETTY, "")
        for name in ("server", "servlet", "http", "io", "util", "security")
    ),
    ("org/eclipse/jetty/toolchain", "jetty-jakarta-servlet-api", "5.0.2", ""),
    *(("org/apache/httpcomponents/core5", name, "5.3.4", "") for name in ("httpcore5", "httpcore5-h2")),
    ("org/apache/httpcomponents/client5", "httpclient5", "5.5", ""),
    ("dev/failsafe", "failsafe", "3.3.2", ""),
    ("com/github/ben-manes/caffeine", "caffeine", "2.9.3", ""),
    ("org/xerial", "sqlite-jdbc", "3.46.0.0", ""),
)
OF_SPARK = (
    *("hadoop-client-*", "jackson-core-2*", "jackson-databind-*", "jackson-annotations-*", "avro-1*", "slf4j-api*"),
    *("log4j-*", "RoaringBitmap*", "aircompressor*", "commons-logging*", "commons-lang3*", "commons-codec*"),
    *("commons-io*", "commons-compress*"),
)


@contextmanager
def rest_catalog(warehouse: str, log: Path, endpoint: str) -> Iterator[str]:
    """A REST catalog without any table; its URI. Its credentials for S3 are those of the environment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    spark = Path(pyspark.__file__).parent / "jars"
    path = [*map(fetched, JARS), *(jar for pattern in OF_SPARK for jar in spark.glob(f"{pattern}.jar"))]
    variables = {
        # By default it is in memory, and each of the server's two connections has an empty one of its own.
        "CATALOG_URI": f"jdbc:sqlite:{log.with_name('catalog.db')}?busy_timeout=60000",
        "CATALOG_IO__IMPL": "org.apache.iceberg.aws.s3.S3FileIO",
        "CATALOG_S3_ENDPOINT": endpoint,
        "CATALOG_S3_PATH__STYLE__ACCESS": "true",
        "AWS_REGION": "us-east-1",
        "CATALOG_WAREHOUSE": warehouse,
        "CATALOG_REST_PORT": str(port),
    }
    command = [f"{java_home()}/bin/java", "-cp", ":".join(map(str, path)), "org.apache.iceberg.rest.RESTCatalogServer"]
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=os.environ | variables, stdout=output, stderr=output)
        try:
            uri = f"http://127.0.0.1:{port}"
            wait_for(f"{uri}/v1/config")
            yield uri
        finally:
            server.kill()
            server.wait(PATIENCE)


def fetched(jar: tuple[str, str, str, str]) -> Path:
    """The jar in the cache, fetched if it is not there."""
    folder, artifact, version, classifier = jar
    name = f"{artifact}-{version}{classifier}.jar"
    file = user_cache_path("stedi") / "rest" / name
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{name}.{os.getpid()}")
        urllib.request.urlretrieve(f"{MAVEN}/{folder}/{artifact}/{version}/{name}", draft)  # noqa: S310 - Maven Central
        draft.replace(file)
    return file


def wait_for(url: str) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10):  # noqa: S310 - this host
                return
        except OSError:
            assert time.monotonic() < until, f"expected an answer within {PATIENCE} s, got none: {url}"
            time.sleep(0.2)
