"""What benchmarks compare with: naive ways, written without code of `distilkobert`, and the original's own step."""
