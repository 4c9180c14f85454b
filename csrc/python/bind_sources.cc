// The object sources of the module _prefetch.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cache/cached_object_source.h"
#include "prefetch/fake_object_source.h"
#include "prefetch/file_object_source.h"
#include "prefetch/multi_object_source.h"
#include "python/prefetch_bindings.h"
#include "s3/s3_object_source.h"
#include "s3/s3_stat.h"

namespace py = pybind11;

namespace smtf {
namespace {

using ReleaseGil = py::call_guard<py::gil_scoped_release>;

py::list Stat(S3ObjectSource* source, const std::vector<py::str>& names, int connections) {
  std::vector<std::string> keys;
  for (const py::str& name : names) keys.push_back(BytesOf(name));
  std::vector<ObjectStat> stats;
  {
    py::gil_scoped_release release;
    const std::atomic<bool> stop{false};
    stats = StatObjects(&source->bucket(), keys, connections, RetryLimits(), stop);
  }
  py::list result;
  for (const ObjectStat& stat : stats) result.append(py::make_tuple(stat.size, TextOf(stat.etag)));
  return result;
}

void DefineS3Source(py::module_* module) {
  py::class_<S3ObjectSource, ObjectSource, std::shared_ptr<S3ObjectSource>>(*module, "S3Source")
      .def(py::init([](std::string endpoint_url, std::string bucket, std::string region,
                       bool virtual_host, std::string ca_bundle, bool verify_tls, bool checksums) {
             return std::make_shared<S3ObjectSource>(
                 S3Options{std::move(endpoint_url), std::move(bucket), std::move(region),
                           virtual_host, std::move(ca_bundle), verify_tls, checksums});
           }),
           py::kw_only(), py::arg("endpoint_url"), py::arg("bucket"), py::arg("region"),
           py::arg("virtual_host") = false, py::arg("ca_bundle") = "", py::arg("verify_tls") = true,
           py::arg("checksums") = true)
      .def(
          "set_credentials",
          [](S3ObjectSource& source, std::string access_key, std::string secret_key,
             std::string session_token) {
            source.SetCredentials(
                {std::move(access_key), std::move(secret_key), std::move(session_token)});
          },
          py::arg("access_key"), py::arg("secret_key"), py::arg("session_token") = "", ReleaseGil())
      .def("wait_refused", &S3ObjectSource::WaitRefused, py::arg("timeout"), ReleaseGil())
      .def(
          "stat",
          [](S3ObjectSource& source, const std::vector<py::str>& names, int connections) {
            return Stat(&source, names, connections);
          },
          py::arg("names"), py::arg("connections") = 16);
}

void DefineFakeSource(py::module_* module) {
  py::class_<FakeObjectSource, ObjectSource, std::shared_ptr<FakeObjectSource>>(*module,
                                                                                "FakeSource")
      .def(py::init([](uint64_t seed, double bytes_per_second, double transient_rate,
                       double truncate_rate, std::string fail_name, const std::string& fail_kind) {
             return std::make_shared<FakeObjectSource>(
                 FakeObjectOptions{seed, bytes_per_second, transient_rate, truncate_rate,
                                   std::move(fail_name), KindNamed(fail_kind)});
           }),
           py::kw_only(), py::arg("seed"), py::arg("bytes_per_second") = 0.0,
           py::arg("transient_rate") = 0.0, py::arg("truncate_rate") = 0.0,
           py::arg("fail_name") = "", py::arg("fail_kind") = "NotFound")
      .def(
          "content",
          [](const FakeObjectSource& source, const std::string& name, uint64_t size) {
            return py::bytes(source.Content(name, size));
          },
          py::arg("name"), py::arg("size"));
}

void DefineCombinedSources(py::module_* module) {
  py::class_<MultiObjectSource, ObjectSource, std::shared_ptr<MultiObjectSource>>(*module,
                                                                                  "MultiSource")
      .def(py::init([](const std::vector<std::shared_ptr<ObjectSource>>& sources) {
             auto multi = std::make_shared<MultiObjectSource>();
             for (const auto& source : sources) multi->Add(source);
             return multi;
           }),
           py::arg("sources"))
      .def("add", &MultiObjectSource::Add, py::arg("source").none(false));
  py::class_<CachedObjectSource, ObjectSource, std::shared_ptr<CachedObjectSource>>(*module,
                                                                                    "CachedSource")
      .def(py::init([](std::shared_ptr<ObjectSource> source, std::string name_space,
                       const py::str& cache_dir, uint64_t cache_bytes) {
             const CacheOptions options{std::move(name_space), BytesOf(cache_dir), cache_bytes};
             py::gil_scoped_release release;
             return std::make_shared<CachedObjectSource>(std::move(source), options);
           }),
           py::arg("source").none(false), py::kw_only(), py::arg("namespace"), py::arg("cache_dir"),
           py::arg("cache_bytes"))
      .def("stats", [](const CachedObjectSource& source) {
        const CacheStats stats = source.stats();
        py::dict dict;
        dict["hits"] = stats.hits;
        dict["misses"] = stats.misses;
        dict["hit_bytes"] = stats.hit_bytes;
        dict["inserted_bytes"] = stats.inserted_bytes;
        dict["refused"] = stats.refused;
        dict["evicted_bytes"] = stats.evicted_bytes;
        dict["failures"] = stats.failures;
        dict["last_failure"] = stats.last_failure;
        return dict;
      });
}

}  // namespace

void DefineSources(py::module_* module) {
  py::class_<ObjectSource, std::shared_ptr<ObjectSource>>(*module, "_ObjectSource");
  py::class_<FileObjectSource, ObjectSource, std::shared_ptr<FileObjectSource>>(*module,
                                                                                "FileSource")
      .def(py::init<>());
  DefineS3Source(module);
  DefineFakeSource(module);
  DefineCombinedSources(module);
}

}  // namespace smtf
