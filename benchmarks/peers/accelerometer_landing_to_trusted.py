import sys

from pyspark.sql import SparkSession

landing, lake = sys.argv[1:3]
spark = (
    SparkSession.builder.appName("accelerometer_landing_to_trusted").config("spark.driver.memory", "4g").getOrCreate()
)

accelerometer_landing = spark.read.option("recursiveFileLookup", True).json(f"{landing}/accelerometer/")
accelerometer_landing.createOrReplaceTempView("accelerometer_landing")
spark.read.parquet(f"{lake}/trusted/customer_trusted/").createOrReplaceTempView("customer_trusted")

accelerometer_trusted = spark.sql("""
    SELECT accelerometer_landing.*
    FROM accelerometer_landing
    INNER JOIN customer_trusted ON accelerometer_landing.user = customer_trusted.email
""")
if "--plain" not in sys.argv:
    accelerometer_trusted = accelerometer_trusted.dropDuplicates()
accelerometer_trusted.write.mode("overwrite").parquet(f"{lake}/trusted/accelerometer_trusted/")

spark.stop()
