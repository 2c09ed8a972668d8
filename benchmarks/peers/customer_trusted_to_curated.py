import sys

from pyspark.sql import SparkSession

lake = sys.argv[2]
spark = SparkSession.builder.appName("customer_trusted_to_curated").config("spark.driver.memory", "4g").getOrCreate()

spark.read.parquet(f"{lake}/trusted/customer_trusted/").createOrReplaceTempView("customer_trusted")
spark.read.parquet(f"{lake}/trusted/accelerometer_trusted/").createOrReplaceTempView("accelerometer_trusted")

customers_curated = spark.sql("""
    SELECT DISTINCT customer_trusted.*
    FROM customer_trusted
    INNER JOIN accelerometer_trusted ON customer_trusted.email = accelerometer_trusted.user
""")
customers_curated.write.mode("overwrite").parquet(f"{lake}/curated/customers_curated/")

spark.stop()
