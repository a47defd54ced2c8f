"""Processor seconds of DuckDB's SUMMARIZE over a Parquet file: usage `python summarize.py FILE`."""
import sys
import time

import duckdb

connection = duckdb.connect()
start = time.process_time()
connection.execute(f"SUMMARIZE SELECT * FROM read_parquet('{sys.argv[1]}')").fetchall()
print(time.process_time() - start)
