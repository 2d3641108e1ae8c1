"""What is printed on a plate: characters, types and region codes. Strings only, no pictures."""
