import sys

from pyspark.sql import SparkSession

lake = sys.argv[2]
spark = SparkSession.builder.appName("machine_learning_curated").config("spark.driver.memory", "4g").getOrCreate()

spark.read.parquet(f"{lake}/trusted/step_trainer_trusted/").createOrReplaceTempView("step_trainer_trusted")
spark.read.parquet(f"{lake}/trusted/accelerometer_trusted/").createOrReplaceTempView("accelerometer_trusted")

machine_learning_curated = spark.sql("""
    SELECT
        step_trainer_trusted.sensorReadingTime,
        step_trainer_trusted.serialNumber,
        step_trainer_trusted.distanceFromObject,
        accelerometer_trusted.user,
        accelerometer_trusted.x,
        accelerometer_trusted.y,
        accelerometer_trusted.z
    FROM step_trainer_trusted
    INNER JOIN accelerometer_trusted ON step_trainer_trusted.sensorReadingTime = accelerometer_trusted.timestamp
""")
machine_learning_curated.write.mode("overwrite").parquet(f"{lake}/curated/machine_learning_curated/")

spark.stop()
