"""FastFile channels: S3 objects as files of a FUSE mount."""
