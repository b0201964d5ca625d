/// libpq, and what of it Swift can't see: the error field codes are character macros.
#ifndef TENANTATLAS_CLIBPQ_SHIM_H
#define TENANTATLAS_CLIBPQ_SHIM_H

#include <libpq-fe.h>

static const int pq_field_severity = PG_DIAG_SEVERITY_NONLOCALIZED;
static const int pq_field_sqlstate = PG_DIAG_SQLSTATE;
static const int pq_field_message = PG_DIAG_MESSAGE_PRIMARY;
static const int pq_field_hint = PG_DIAG_MESSAGE_HINT;
static const int pq_field_constraint = PG_DIAG_CONSTRAINT_NAME;
static const int pq_field_source_function = PG_DIAG_SOURCE_FUNCTION;
static const int pq_field_position = PG_DIAG_STATEMENT_POSITION;

#endif
