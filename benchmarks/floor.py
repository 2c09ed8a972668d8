"""The same five tables by hand in DuckDB, SQL to Parquet: `python benchmarks/floor.py LANDING LAKE`.

What the machine can do when nothing is governed: no catalog, no snapshots, no rejected records. Not a product.
"""

import sys
from pathlib import Path

import duckdb

COLUMNS = {
    "customer": {
        "customerName": "VARCHAR",
        "email": "VARCHAR",
        "phone": "VARCHAR",
        "birthDay": "VARCHAR",
        "serialNumber": "VARCHAR",
        "registrationDate": "BIGINT",
        "lastUpdateDate": "BIGINT",
        "shareWithResearchAsOfDate": "BIGINT",
        "shareWithPublicAsOfDate": "BIGINT",
        "shareWithFriendsAsOfDate": "BIGINT",
    },
    "accelerometer": {"user": "VARCHAR", "timestamp": "BIGINT", "x": "DOUBLE", "y": "DOUBLE", "z": "DOUBLE"},
    "step_trainer": {"sensorReadingTime": "BIGINT", "serialNumber": "VARCHAR", "distanceFromObject": "INTEGER"},
}
TABLES = {
    "trusted/customer_trusted": "FROM customer WHERE shareWithResearchAsOfDate IS NOT NULL",
    "trusted/accelerometer_trusted": 'FROM accelerometer a SEMI JOIN customer_trusted c ON a."user" = c.email',
    "curated/customers_curated": 'FROM customer_trusted c SEMI JOIN accelerometer_trusted a ON c.email = a."user"',
    "trusted/step_trainer_trusted": "FROM step_trainer s SEMI JOIN customers_curated c USING (serialNumber)",
    "curated/machine_learning_curated": """
        SELECT s.*, a.* EXCLUDE (timestamp)
        FROM step_trainer_trusted s JOIN accelerometer_trusted a ON s.sensorReadingTime = a.timestamp
    """,
}


def main() -> None:
    landing, lake = sys.argv[1:]
    duck = duckdb.connect()
    duck.execute("SET preserve_insertion_order = false")
    for source, columns in COLUMNS.items():
        files = f"{landing}/{source}/**/*.json"
        duck.read_json(files, columns=columns, format="newline_delimited").create_view(source)
    for place, query in TABLES.items():
        folder, name = Path(lake, place), Path(place).name
        folder.mkdir(parents=True)
        duck.execute(f"CREATE TABLE {name} AS {query}")
        duck.execute(f"COPY {name} TO '{folder}/part-0.parquet'")


if __name__ == "__main__":
    main()
