"""Settings of an MLflow machine, as the stack writes them."""

ENVIRON = {
    "OFFPATH_REGION": "eu-central-1",
    "OFFPATH_DATABASE_ENGINE": "postgres",
    "OFFPATH_DATABASE_HOST": "db.example.rds.amazonaws.com",
    "OFFPATH_DATABASE_PORT": "5432",
    "OFFPATH_DATABASE_NAME": "mlflow",
    "OFFPATH_DATABASE_SECRET": "arn:database",
    "OFFPATH_ADMIN_SECRET": "arn:admin",
    "OFFPATH_WRITER_SECRET": "arn:writer",
    "OFFPATH_MODEL_SYNC_SECRET": "arn:model-sync",
    "OFFPATH_TRAINER_SECRET": "arn:trainer",
    "OFFPATH_BUCKET": "archive",
    "OFFPATH_ARTIFACTS": "s3://artifacts/mlflow",
    "OFFPATH_CA_OBJECT": "s3://archive/mlflow/ca.pem",
    "OFFPATH_PRIVATE_NAME": "ip-10-20-0-10.ec2.internal",
}
