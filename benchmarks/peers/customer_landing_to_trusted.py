import sys

from pyspark.sql import SparkSession

landing, lake = sys.argv[1:3]
spark = SparkSession.builder.appName("customer_landing_to_trusted").config("spark.driver.memory", "4g").getOrCreate()

customer_landing = spark.read.option("recursiveFileLookup", True).json(f"{landing}/customer/")
customer_landing.createOrReplaceTempView("customer_landing")

customer_trusted = spark.sql("""
    SELECT *
    FROM customer_landing
    WHERE shareWithResearchAsOfDate IS NOT NULL
""")
customer_trusted.write.mode("overwrite").parquet(f"{lake}/trusted/customer_trusted/")

spark.stop()
