#include "hub/domain/content_references.hpp"

#include <gmock/gmock.h>

#include "hub/domain/content_walk.hpp"

namespace slipway::hub::domain {

// What somebody adds tomorrow: content of other names, in every kind of holder that a document knows.
struct Certificate {
  std::string name;
  Blob seal;
};
struct Delivery {
  Blob parcel;
  std::optional<Blob> receipt;
  std::vector<Certificate> certificates;
  std::map<std::string, Blob> by_country;
  std::variant<std::string, Certificate> proof;
};

namespace internal {
template <typename A, Is<Certificate> T>
void fields(A& a, T& v) {
  a("name", v.name);
  a("digest_of_seal", v.seal);
}
template <typename A, Is<Delivery> T>
void fields(A& a, T& v) {
  a("parcel", v.parcel);
  a("receipt", v.receipt);
  a("certificates", v.certificates);
  a("by_country", v.by_country);
  a("proof", v.proof);
}
}  // namespace internal

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> hashes(const std::vector<Blob>& blobs) {
  std::vector<std::string> found;
  for (const Blob& blob : blobs) found.push_back(blob.sha256);
  return found;
}

TEST(ContentReferences, are_found_by_type_whatever_a_new_field_is_called) {
  Delivery delivery;
  delivery.parcel.sha256 = "1";
  delivery.receipt = Blob{.sha256 = "2", .size_bytes = 1};
  delivery.certificates = {{.name = "a", .seal = {.sha256 = "3", .size_bytes = 1}}, {.name = "none", .seal = {}}};
  delivery.by_country["de"].sha256 = "4";
  delivery.proof = Certificate{.name = "b", .seal = {.sha256 = "5", .size_bytes = 1}};
  EXPECT_THAT(hashes(internal::content_within(delivery)), ElementsAre("1", "2", "3", "4", "5"));
}

TEST(ContentReferences, of_rows_are_their_content_companions_and_artifacts) {
  Model model;
  EXPECT_THAT(content_of(model), IsEmpty());
  model.content.sha256 = "1";
  model.companions["source"].content.sha256 = "2";
  EXPECT_THAT(hashes(content_of(model)), ElementsAre("1", "2"));
  Dataset dataset;
  dataset.content.sha256 = "3";
  EXPECT_THAT(hashes(content_of(dataset)), ElementsAre("3"));
  Job job;
  job.artifacts.emplace_back().content.sha256 = "4";
  EXPECT_THAT(hashes(content_of(job)), ElementsAre("4"));
}

}  // namespace
}  // namespace slipway::hub::domain
