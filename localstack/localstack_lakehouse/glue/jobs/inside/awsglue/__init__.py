"""As much of AWS Glue's library as can be had without Glue: arguments, the session, the frame of a job.

DynamicFrames are not; what would need one raises NotImplementedError.
"""
