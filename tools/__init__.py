"""The habits behind `./dev`: checks, tests, vectors, measurements. Not part of the product."""
