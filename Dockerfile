# genurl-graph on the CPU:
#
#   docker build --tag genurl-graph .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/work" genurl-graph embed --input friends.csv --output z.csv
#
# Files are read from and written to /work; data sets are kept in /data.
FROM python:3.11-slim AS build
# uv knows where PyTorch keeps its builds for the CPU; pip would install the CUDA libraries, some gigabytes, as well.
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY genurl_graph genurl_graph
COPY datasets datasets
COPY cli cli
# Compiled here, since the user below may not write there: every start would compile PyTorch again, for ten seconds.
RUN uv venv /opt/genurl-graph \
    && uv pip install --no-cache --compile-bytecode --python /opt/genurl-graph/bin/python --torch-backend cpu \
        --constraint constraints.txt '.[parquet,anndata]'

FROM python:3.11-slim
COPY --from=build /opt/genurl-graph /opt/genurl-graph
ENV PATH="/opt/genurl-graph/bin:$PATH" \
    GENURL_DATA=/data \
    HOME=/tmp
RUN mkdir --mode 1777 /data /work
WORKDIR /work
USER 1000:1000
ENTRYPOINT ["genurl-graph"]
CMD ["--help"]
