# SPDX-License-Identifier: Apache-2.0
# cmake -D INPUT=openapi.json -D OUTPUT=openapi.cc -P embed.cmake: the description as a function of the program, so that
# it is served without a file beside it.
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "#include \"api/http_api.h\"\nstd::string_view fairlead::server::openapi_json() noexcept {\n  return R\"__openapi__(${text})__openapi__\";\n}\n")
