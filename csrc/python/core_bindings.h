// The pieces of the module _core; core_module.cc puts them together.
#ifndef SMTF_PYTHON_CORE_BINDINGS_H_
#define SMTF_PYTHON_CORE_BINDINGS_H_

#include <pybind11/pybind11.h>

namespace smtf {

void DefineNumberRows(pybind11::module_* module);
void DefineObjectFiles(pybind11::module_* module);
void DefineObjectRecords(pybind11::module_* module);

}  // namespace smtf

#endif  // SMTF_PYTHON_CORE_BINDINGS_H_
