# Sourced by the install scripts: what the build was told in secrets, for this one step. Nothing of it is written down.

if [ -s /run/secrets/ca_certificates ]; then
    export SSL_CERT_FILE=/run/secrets/ca_certificates PIP_CERT=/run/secrets/ca_certificates
fi
if [ -s /run/secrets/index_url ]; then
    PIP_INDEX_URL=$(cat /run/secrets/index_url)
    export PIP_INDEX_URL UV_DEFAULT_INDEX="$PIP_INDEX_URL"
fi
