import sys

from pyspark.sql import SparkSession

landing, lake = sys.argv[1:3]
spark = (
    SparkSession.builder.appName("step_trainer_landing_to_trusted").config("spark.driver.memory", "4g").getOrCreate()
)

step_trainer_landing = spark.read.option("recursiveFileLookup", True).json(f"{landing}/step_trainer/")
step_trainer_landing.createOrReplaceTempView("step_trainer_landing")
spark.read.parquet(f"{lake}/curated/customers_curated/").createOrReplaceTempView("customers_curated")

step_trainer_trusted = spark.sql("""
    SELECT step_trainer_landing.*
    FROM step_trainer_landing
    INNER JOIN customers_curated ON step_trainer_landing.serialNumber = customers_curated.serialNumber
""")
if "--plain" not in sys.argv:
    step_trainer_trusted = step_trainer_trusted.dropDuplicates()
step_trainer_trusted.write.mode("overwrite").parquet(f"{lake}/trusted/step_trainer_trusted/")

spark.stop()
