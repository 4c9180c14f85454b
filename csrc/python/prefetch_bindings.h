// The pieces of the module _prefetch; prefetch_module.cc puts them together.
#ifndef SMTF_PYTHON_PREFETCH_BINDINGS_H_
#define SMTF_PYTHON_PREFETCH_BINDINGS_H_

#include <pybind11/pybind11.h>

#include <string>

#include "errors.h"

namespace smtf {

void DefineSources(pybind11::module_* module);
void DefineListing(pybind11::module_* module);  // ObjectList, S3Listing
void DefineFeed(pybind11::module_* module);
void DefineRangeReader(pybind11::module_* module);

// Paths and keys may hold bytes that are not UTF-8; Python carries those as lone surrogates.
std::string BytesOf(const pybind11::handle& text);
pybind11::str TextOf(const std::string& bytes);

// "NotFound" and so on; an Error of kind kInvalidArgument for what is none.
ErrorKind KindNamed(const std::string& name);

}  // namespace smtf

#endif  // SMTF_PYTHON_PREFETCH_BINDINGS_H_
