/** Names that people know things by: operations in each language, regions by their place. */
import type { Language } from "../directory/document";
import { OPERATIONS } from "../operations/catalogue";

const CHINESE_TITLES: Readonly<Record<string, string>> = {
  "Delete a database instance": "删除数据库实例",
  "Delete a database cluster": "删除数据库集群",
  "Delete a database snapshot": "删除数据库快照",
  "Delete a database cluster's snapshot": "删除数据库集群快照",
  "Terminate instances": "终止实例",
  "Delete a subnet": "删除子网",
  "Delete a VPC": "删除 VPC",
  "Delete a volume": "删除卷",
  "Delete an internet gateway": "删除互联网网关",
  "Delete a network interface": "删除网络接口",
  "Delete a NAT gateway": "删除 NAT 网关",
  "Delete a transit gateway": "删除中转网关",
  "Delete a snapshot": "删除快照",
  "Delete a security group": "删除安全组",
  "Delete a route table": "删除路由表",
  "Delete a VPC peering connection": "删除 VPC 对等连接",
  "Delete a VPN connection": "删除 VPN 连接",
  "Deregister an image": "注销映像",
  "Release an Elastic IP address": "释放弹性 IP 地址",
  "Delete a bucket": "删除存储桶",
  "Delete a bucket's policy": "删除存储桶策略",
  "Delete an access point": "删除接入点",
  "Delete an EKS cluster": "删除 EKS 集群",
  "Delete an EKS node group": "删除 EKS 节点组",
  "Delete a load balancer": "删除负载均衡器",
  "Delete a classic load balancer": "删除经典负载均衡器",
  "Delete a target group": "删除目标组",
  "Delete a listener": "删除侦听器",
  "Delete a DynamoDB table": "删除 DynamoDB 表",
  "Schedule the deletion of a KMS key": "计划删除 KMS 密钥",
  "Delete a Lambda function": "删除 Lambda 函数",
};

/** A catalogue title in a language. */
export function titleIn(language: Language, title: string): string {
  return language === "zh" ? (CHINESE_TITLES[title] ?? title) : title;
}

/** What an operation does, as a title: `Terminate instances`. The SDK's names tell apart what shares an event. */
export function operationTitle(language: Language, service: string, api: string): string {
  const found = OPERATIONS.find((operation) => operation.service === service && operation.api === api);
  return found ? titleIn(language, found.title) : api;
}

/** The titles that the catalogue has and that are not in Chinese yet. */
export function untranslatedTitles(): string[] {
  return OPERATIONS.map(({ title }) => title).filter((title) => !Object.hasOwn(CHINESE_TITLES, title));
}

const CHINESE_LABELS: Readonly<Record<string, string>> = {
  Resource: "资源",
  State: "状态",
  "Lost with it": "随之丢失",
  "Copies that stay": "保留的副本",
  Affected: "受影响",
  "AWS will reject it": "AWS 会拒绝",
  Tags: "标签",
  "Not known": "未能查明",
  Name: "名称",
  Type: "类型",
  Kind: "种类",
  Class: "规格",
  Size: "大小",
  Storage: "存储",
  Engine: "引擎",
  Version: "版本",
  Database: "数据库",
  Cluster: "集群",
  Volume: "卷",
  Subnet: "子网",
  Address: "地址",
  "Public address": "公网地址",
  Public: "公开",
  Policy: "策略",
  Owner: "所有者",
  Description: "描述",
  Encrypted: "加密",
  Created: "创建时间",
  Taken: "生成时间",
  Usage: "用途",
  Reached: "可访问范围",
  Protocol: "协议",
  Lifecycle: "购买方式",
  "Replica of": "副本来源",
  "Automated backups": "自动备份",
};

/** A preview's label in a language; one that is not known stays as it is. */
export function labelIn(language: Language, label: string): string {
  return language === "zh" && Object.hasOwn(CHINESE_LABELS, label) ? CHINESE_LABELS[label]! : label;
}

const PLACES: Readonly<Record<string, string>> = {
  "us-east-1": "N. Virginia",
  "us-east-2": "Ohio",
  "us-west-1": "N. California",
  "us-west-2": "Oregon",
  "ca-central-1": "Central Canada",
  "ca-west-1": "Calgary",
  "mx-central-1": "Central Mexico",
  "sa-east-1": "São Paulo",
  "eu-central-1": "Frankfurt",
  "eu-central-2": "Zurich",
  "eu-west-1": "Ireland",
  "eu-west-2": "London",
  "eu-west-3": "Paris",
  "eu-north-1": "Stockholm",
  "eu-south-1": "Milan",
  "eu-south-2": "Spain",
  "af-south-1": "Cape Town",
  "me-south-1": "Bahrain",
  "me-central-1": "UAE",
  "il-central-1": "Tel Aviv",
  "ap-east-1": "Hong Kong",
  "ap-south-1": "Mumbai",
  "ap-south-2": "Hyderabad",
  "ap-southeast-1": "Singapore",
  "ap-southeast-2": "Sydney",
  "ap-southeast-3": "Jakarta",
  "ap-southeast-4": "Melbourne",
  "ap-southeast-5": "Malaysia",
  "ap-southeast-7": "Thailand",
  "ap-northeast-1": "Tokyo",
  "ap-northeast-2": "Seoul",
  "ap-northeast-3": "Osaka",
  "cn-north-1": "Beijing",
  "cn-northwest-1": "Ningxia",
  "us-gov-east-1": "GovCloud East",
  "us-gov-west-1": "GovCloud West",
};

/** A region with its place, where that is known: `us-east-1 (N. Virginia)`. */
export function regionName(region: string): string {
  const place = PLACES[region];
  return place === undefined ? region : `${region} (${place})`;
}
