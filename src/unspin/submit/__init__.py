"""What other programs start unspin by."""
